import { describe, expect, it } from "vitest";

import { Problem } from "../../src/api/problem";
import { complaint } from "../../src/parts/complaint";

function problem(text: string, position: number, wanted: string[]): Problem {
  return new Problem(text, 422, "INVALID_QUERY", position, wanted);
}

describe("what is wrong with a query", () => {
  it("is marked at its word, with the word that was meant", () => {
    const query = "lufs > -9 and tempo_bmp < 100";
    const said = complaint(
      query,
      problem('position 15: there is no field "tempo_bmp"; wanted tempo_bpm', 15, ["tempo_bpm"]),
    );
    expect(said).toMatchObject({
      before: "lufs > -9 and ",
      at: "tempo_bmp",
      after: " < 100",
      sentence: 'There is no field "tempo_bmp". Wanted here: tempo_bpm.',
    });
    expect(said.fixes).toEqual([{ name: "tempo_bpm", query: "lufs > -9 and tempo_bpm < 100" }]);
  });

  it("offers no words that are not the query's own", () => {
    const said = complaint(
      "lufs > and",
      problem("position 8: x; wanted a number", 8, ["a number such as 12.5"]),
    );
    expect([said.at, said.fixes]).toEqual(["and", []]);
  });

  it("has a place to show where the query ends too early", () => {
    const said = complaint("lufs >", problem("position 7: the query ends; wanted a number", 7, ["a number"]));
    expect([said.before, said.at, said.after]).toEqual(["lufs >", " ", ""]);
  });
});
