/** What went wrong, as a sentence for people. */

/** An answer that is no success, or none at all (`status` 0). Its message is a sentence. */
export class Problem extends Error {
  constructor(
    sentence: string,
    readonly status: number,
    readonly code: string,
    /** where in a smart list's query it stops to make sense, counted from 1 */
    readonly position: number | null = null,
    readonly wanted: readonly string[] = [],
  ) {
    super(sentence);
  }
}

/** What an answer with an error says: its problem document, or as much as its status tells. */
export async function problemOf(response: Response): Promise<Problem> {
  const type = response.headers.get("content-type") ?? "";
  if (type.startsWith("application/problem+json")) {
    const said = (await response.json()) as {
      detail: string;
      code: string;
      position?: number;
      wanted?: string[];
    };
    return new Problem(said.detail, response.status, said.code, said.position ?? null, said.wanted ?? []);
  }
  return new Problem(`The server answered with ${response.status}.`, response.status, "HTTP_ERROR");
}

/** No answer came. */
export function unreachable(): Problem {
  return new Problem("The server cannot be reached. Is it still running?", 0, "UNREACHABLE");
}

/** Any error as a sentence for people. */
export function sentence(error: unknown): string {
  return error instanceof Problem ? error.message : "Something in this page went wrong.";
}

/** Whether this is a request that nobody waits for any more. */
export function isAborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
