/** The chart of docs/performance.md: how many times pptpd's packets a second, and what part of its processor time. */
import { COLOURS, escape, svgDocument } from '../chart/document.js';
import type { Row } from './report.js';

const WIDTH = 760;
const LABELS = 300;
const LINE = 26;
const TOP = 64;
const BAR = 16;

/** An SVG document. */
export function chart(rows: readonly Row[]): string {
  const bars = rows.filter(({ figure, ratio }) => figure === 'packets/s' && ratio !== null);
  const height = TOP + bars.length * LINE + 24;
  // Beyond ten times a bar says so in its number alone.
  const longest = Math.min(10, Math.max(2, ...bars.map(({ ratio }) => ratio ?? 0)));
  const x = (ratio: number): number => LABELS + (Math.min(ratio, longest) / longest) * (WIDTH - LABELS - 70);
  const lines = bars.map((row, index) => {
    const y = TOP + index * LINE;
    const ratio = row.ratio ?? 0;
    const floor =
      row.floorRatio === null
        ? ''
        : `<rect x="${LABELS}" y="${y + BAR - 3}" width="${(x(row.floorRatio) - LABELS).toFixed(1)}" height="3" fill="${COLOURS.paleGreen}"/>`;
    return [
      `<text x="${LABELS - 10}" y="${y + 12}" text-anchor="end">${escape(row.title)}</text>`,
      `<rect x="${LABELS}" y="${y}" width="${(x(ratio) - LABELS).toFixed(1)}" height="${BAR - 4}" rx="2" fill="${COLOURS.green}"/>`,
      floor,
      `<text x="${(x(ratio) + 6).toFixed(1)}" y="${y + 11}" font-weight="600">${ratio.toFixed(ratio < 10 ? 2 : 0)} ×</text>`,
    ].join('\n');
  });
  const one = x(1).toFixed(1);
  const body = `${lines.join('\n')}
<line x1="${one}" x2="${one}" y1="${TOP - 6}" y2="${height - 16}" stroke="${COLOURS.grey}" stroke-dasharray="4 3"/>`;
  return svgDocument({
    width: WIDTH,
    height,
    title: "Packets a second, as a multiple of pptpd's",
    subtitle: 'green: pptpd-ts; thin grey: a C relay that does nothing but system calls and HDLC; line: pptpd 1.4.0',
    body,
  });
}
