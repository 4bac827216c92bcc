/** What all charts have in common: an SVG document on a white ground, good in light and dark, its colours and its text. */

export const COLOURS = {
  text: '#24292f',
  pale: '#6e7781',
  line: '#d0d7de',
  green: '#2f7d4f',
  paleGreen: '#b8c4bd',
  grey: '#8a8f98',
  blue: '#2563a8',
  orange: '#b3541e',
} as const;

export const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

export interface Document {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  /** One line below the title. */
  readonly subtitle: string;
  /** SVG elements. */
  readonly body: string;
}

export const svgDocument = ({ width, height, title, subtitle, body }: Document): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="${COLOURS.text}">
<rect width="${width}" height="${height}" fill="#ffffff"/>
<text x="16" y="24" font-size="15" font-weight="600">${escape(title)}</text>
<text x="16" y="44" fill="${COLOURS.pale}">${escape(subtitle)}</text>
${body}
</svg>
`;
