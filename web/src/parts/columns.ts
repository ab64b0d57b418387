/** What a table of tracks can show, and from which width on. */

export type ColumnName =
  "number" | "title" | "artist" | "album" | "quality" | "extra" | "heart" | "time" | "menu";

export interface Column {
  name: ColumnName;
  /** what its heading says; "" for one that only a screen reader is told */
  title: string;
  spoken: string;
  /** what the server calls the order by it */
  order: string | null;
  /** its share of a CSS grid */
  width: string;
  /** pixels of the whole table from which on it is there */
  from: number;
}

/** Words of a view's own for each row. */
export interface Extra {
  title: string;
  width: string;
  of: (index: number) => string;
  /** columns that make room for it */
  instead: readonly ColumnName[];
}

export const COLUMNS: readonly Column[] = [
  { name: "number", title: "#", spoken: "Number", order: null, width: "3rem", from: 700 },
  { name: "title", title: "Title", spoken: "Title", order: "title", width: "minmax(0, 5fr)", from: 0 },
  { name: "artist", title: "Artist", spoken: "Artist", order: "artist", width: "minmax(0, 3fr)", from: 700 },
  { name: "album", title: "Album", spoken: "Album", order: "album", width: "minmax(0, 3fr)", from: 920 },
  { name: "quality", title: "Format", spoken: "Format", order: null, width: "7.5rem", from: 1080 },
  { name: "extra", title: "", spoken: "", order: null, width: "minmax(6.5rem, 2fr)", from: 640 },
  { name: "heart", title: "", spoken: "Favourite", order: null, width: "2.75rem", from: 560 },
  { name: "time", title: "Time", spoken: "Length", order: "duration", width: "4rem", from: 0 },
  { name: "menu", title: "", spoken: "More", order: null, width: "2.75rem", from: 0 },
];

/** What a click on the heading of `column` makes of `order`. */
export function turned(order: string, column: string): string {
  return order === column ? `-${column}` : column;
}
