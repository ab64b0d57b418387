import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

const server = process.env.TONEARM_URL ?? "http://127.0.0.1:8765";

export default defineConfig({
  plugins: [svelte()],
  base: "/static/",
  build: {
    outDir: "../src/tonearm/static",
    emptyOutDir: true,
    target: "es2022",
    // The worklet's module and covers are files of their own: nothing comes as a data: address, which the
    // page's content security policy would refuse.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      // The server answers pages of its own origin only; in development this one speaks for it.
      "/api": { target: server, changeOrigin: true, headers: { origin: server } },
      "/ws": { target: server, ws: true, changeOrigin: true, headers: { origin: server } },
    },
  },
  test: { include: ["test/**/*.test.ts"], environment: "node" },
});
