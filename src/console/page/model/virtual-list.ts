/** Which rows of a long table exist in the document: those in view and a few around them. Pure. */

export interface Slice {
  /** Index of the first row that exists, and of the one after the last. */
  readonly begin: number;
  readonly end: number;
  /** Pixels in place of the rows before and after. */
  readonly before: number;
  readonly after: number;
}

export interface View {
  readonly rows: number;
  readonly rowHeight: number;
  /** Pixels of the list that are scrolled out above the view; may be negative when the list begins below its top. */
  readonly scrolled: number;
  readonly height: number;
}

/** Rows beyond each edge, so that a quick scroll or a Tab finds the next row. */
const AROUND = 8;

export function sliceOf({ rows, rowHeight, scrolled, height }: View): Slice {
  const first = Math.floor(Math.max(0, scrolled) / rowHeight) - AROUND;
  const last = Math.ceil((Math.max(0, scrolled) + Math.max(0, height)) / rowHeight) + AROUND;
  const begin = Math.max(0, Math.min(first, rows - 1));
  const end = Math.max(begin, Math.min(last, rows));
  return { begin, end, before: begin * rowHeight, after: (rows - end) * rowHeight };
}
