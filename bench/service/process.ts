/** A service in a process of its own on a temporary folder, as a user would run it; for benchmarks. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../../bin/tripwatch.js', import.meta.url));

export interface ServiceProcess {
  readonly url: string;
  readonly smtpPort: number;
  readonly token: string;
  readonly folder: string;
  readonly pid: number;
  call<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** Changes as they come, with the instant of arrival; ends when `stop` is called. */
  changes(onChange: (event: ChangeEvent, arrivedAt: number) => void): { stop(): void };
  stop(): Promise<void>;
}

export interface ChangeEvent {
  readonly id: string;
  readonly data: {
    readonly reservationId: string;
    readonly title: string;
    readonly version: number;
    readonly changes: readonly { readonly type: string; readonly to?: unknown }[];
  };
}

export async function startServiceProcess(
  config: Readonly<Record<string, unknown>> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<ServiceProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-bench-'));
  const configFile = join(folder, 'bench.config.json');
  writeFileSync(configFile, JSON.stringify({ http: { port: 0 }, smtp: { port: 0 }, ...config }));
  const child = spawn(
    process.execPath,
    [cli, 'up', '--log', 'error', '--json', '--data', folder, '--config', configFile],
    {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const up = JSON.parse(await firstObject(child)) as { url: string; smtpPort: number; signIn: string };
  const token = new URL(up.signIn).searchParams.get('token')!;
  const headers = { authorization: `Bearer ${token}` };
  return {
    url: up.url,
    smtpPort: up.smtpPort,
    token,
    folder,
    pid: child.pid!,
    call: async <T>(method: string, path: string, body?: unknown) => {
      const response = await fetch(up.url + path, {
        method,
        headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return (text === '' ? undefined : JSON.parse(text)) as T;
    },
    changes: (onChange) => {
      const ending = new AbortController();
      void readStream(`${up.url}/v1/changes`, headers, ending.signal, onChange);
      return { stop: () => ending.abort() };
    },
    stop: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The pretty-printed object that `up --json` prints when it is ready. */
async function firstObject(child: ChildProcess): Promise<string> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout! })) {
    lines.push(line);
    if (line === '}') break;
  }
  if (lines.length === 0) throw new Error('The service did not start; see its messages above.');
  return lines.join('\n');
}

async function readStream(
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
  onChange: (event: ChangeEvent, arrivedAt: number) => void,
): Promise<void> {
  try {
    const response = await fetch(url, { headers: { ...headers, accept: 'text/event-stream' }, signal });
    let rest = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const arrivedAt = performance.timeOrigin + performance.now();
      const blocks = (rest + chunk).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const data = block
          .split('\n')
          .filter((line) => line.startsWith('data:'))
          .map((line) => line.slice(5).trimStart())
          .join('\n');
        if (block.includes('event: change') && data !== '') onChange(JSON.parse(data) as ChangeEvent, arrivedAt);
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** p50, p99 and the greatest of some figures. */
export function spread(values: readonly number[]): {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
} {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    Math.round((sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN) * 10) / 10;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}
