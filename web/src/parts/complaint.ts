/** What is wrong with a query, in words, and where. */

import type { Problem } from "../api/problem";

export interface Complaint {
  sentence: string;
  /** the query cut at the mistake, which is the word there */
  before: string;
  at: string;
  after: string;
  /** the query as it might have been meant */
  fixes: readonly { name: string; query: string }[];
}

/** The server counts characters from 1 and says, behind "position 8: ", what is wrong and what was wanted. */
export function complaint(query: string, problem: Problem): Complaint {
  const start = Math.min(Math.max(0, (problem.position ?? 1) - 1), query.length);
  const rest = query.slice(start);
  const word = /^("[^"]*"?|[\w.]+|\S)/.exec(rest)?.[0] ?? "";
  const [before, after] = [query.slice(0, start), rest.slice(word.length)];
  const told = problem.message.replace(/^position \d+: /, "").replace(/; wanted .*$/, "");
  const wanted = problem.wanted.length ? ` Wanted here: ${list(problem.wanted)}.` : "";
  const fixes = problem.wanted
    .filter((each) => /^[a-z_]+$/.test(each) && each !== word)
    .slice(0, 6)
    .map((each) => ({ name: each, query: `${before}${each}${after}` }));
  const sentence = `${told.charAt(0).toUpperCase()}${told.slice(1)}.${wanted}`;
  // Where the query only ends too early there is no word to mark.
  return { sentence, before, at: word || " ", after, fixes };
}

function list(words: readonly string[]): string {
  const some = words.slice(0, 6);
  const last = some.pop();
  const tail = words.length > 6 ? " and others" : "";
  return (some.length ? `${some.join(", ")} or ${last}` : `${last}`) + tail;
}
