import type { DemoApp } from './demo-app.js';

export type Json = Record<string, unknown>;

export interface Answer {
  readonly status: number;
  readonly body: Json;
}

/** Requests to a running demo. */
export class DemoClient {
  constructor(private readonly app: DemoApp) {}

  async send(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await this.fetch(path, { method, ...jsonOf(body) });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Json) };
  }

  get(path: string): Promise<Answer> {
    return this.send('GET', path);
  }

  /** All items of a streaming route, as NDJSON. */
  async items<Item = Json>(path: string, body: unknown): Promise<Item[]> {
    const init = jsonOf(body);
    const headers = { ...init.headers, accept: 'application/x-ndjson' };
    const response = await this.fetch(path, { method: 'POST', ...init, headers });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${text}`);
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Item);
  }

  fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(this.app.url + path, init);
  }
}

/** Server-sent events as they arrive; leaving the loop, or aborting the request, hangs up. */
export async function* events(response: Response): AsyncGenerator<{ event: string; data: Json }> {
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop()!;
    for (const block of blocks) {
      const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
      const data = field('data');
      if (data !== undefined) yield { event: field('event') ?? 'message', data: JSON.parse(data) as Json };
    }
  }
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

function jsonOf(body: unknown): { headers?: Record<string, string>; body?: string | FormData } {
  if (body === undefined) return {};
  if (body instanceof FormData) return { body };
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
