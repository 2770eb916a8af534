export interface FencedBlock {
  readonly language: string;
  /** The file it stands for, from `title="…"`. */
  readonly title: string | undefined;
  readonly text: string;
}

/** All fenced blocks of a page of Markdown, in order. */
export function fencedBlocks(page: string): FencedBlock[] {
  return [...page.matchAll(/^```(\w+)(?: title="([^"]+)")?\n([\s\S]*?)^```$/gm)].map(
    ([, language = '', title, text = '']) => ({ language, title, text }),
  );
}
