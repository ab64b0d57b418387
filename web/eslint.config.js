import svelte from "eslint-plugin-svelte";
import globals from "globals";
import ts from "typescript-eslint";

import svelteConfig from "./svelte.config.js";

export default ts.config(
  { ignores: ["node_modules/"] },
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser, ...globals.node } } },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: [".svelte"], svelteConfig } },
  },
  { rules: { "no-console": "error" } },
  {
    // What the player's core does must not depend on how it is shown.
    files: ["src/core/**"],
    rules: {
      "no-restricted-imports": ["error", { patterns: ["svelte", "svelte/*", "**/views/*", "**/parts/*"] }],
    },
  },
);
