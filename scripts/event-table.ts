import { globSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import * as contracts from '#libs/contracts';

const FILE = 'ARCHITECTURE.md';
const MARKS = ['<!-- events: made by "npm run docs" -->', '<!-- end of events -->'] as const;

/** Sources of the services and libraries, by path. */
const sources = new Map(
  globSync('{apps,libs}/*/src/**/*.ts')
    .filter((path) => !path.endsWith('.spec.ts') && !path.startsWith('libs/contracts/'))
    .toSorted()
    .map((path) => [path, readFileSync(path, 'utf8')]),
);

// apps/todos/src/lists/… is todos/lists.
const roomOf = (path: string) =>
  dirname(path)
    .replace(/^apps\//, '')
    .replace('/src', '');

/** A handler's file is named `<effect>.on-<event>.ts`. */
function handlersOf(type: string): string {
  const files = [...sources.keys()].filter((path) => path.endsWith(`.on-${type.replaceAll('.', '-')}.ts`));
  return files.map((path) => `${roomOf(path)}: \`${basename(path)}\``).join('<br>') || 'nobody yet';
}

/** Files that name an event's definition without handling it publish it. */
function publishersOf(constant: string): string {
  const rooms = [...sources]
    .filter(([path, text]) => !/\.on-[\w-]+\.ts$/.test(path) && new RegExp(`\\b${constant}\\b`).test(text))
    .map(([path]) => roomOf(path));
  return [...new Set(rooms)].join(', ') || 'nobody yet';
}

/** ARCHITECTURE.md with its table of events brought up to date. */
export function architecture(): string {
  const rows = Object.entries(contracts).flatMap(([constant, one]) => {
    if (contracts.events.includes(one as contracts.EventDefinition)) {
      const { topic, type } = one as contracts.EventDefinition;
      const name = `\`${topic.name}\`${topic.cleanup === 'compact' ? ' (compacted)' : ''}`;
      return [[name, type, publishersOf(constant), handlersOf(type)]];
    }
    if (!contracts.requests.includes(one as contracts.RequestDefinition)) return [];
    const { topic, name } = one as contracts.RequestDefinition;
    return [[`\`${topic}\``, 'a question', 'whoever speaks only Kafka', handlersOf(name)]];
  });
  const table = [['topic', 'event', 'from', 'handled by'], ['-', '-', '-', '-'], ...rows.toSorted(byTopic)];
  const text = readFileSync(FILE, 'utf8');
  const [start, end] = MARKS.map((mark) => text.indexOf(mark)) as [number, number];
  if (start < 0 || end < start) throw new Error(`${FILE} has lost the marks around its table of events`);
  const lines = table.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  return `${text.slice(0, start + MARKS[0].length)}\n\n${lines}\n\n${text.slice(end)}`;
}

const byTopic = ([a]: string[], [b]: string[]) => (a! < b! ? -1 : Number(a! > b!));
