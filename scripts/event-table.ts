import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import * as contracts from '#libs/contracts';
import { handlersOf, publishersOf } from './event-flow.js';

const FILE = 'ARCHITECTURE.md';
const MARKS = ['<!-- events: made by "npm run docs" -->', '<!-- end of events -->'] as const;

// apps/todos/src/lists/… is todos/lists.
const roomOf = (path: string) =>
  dirname(path)
    .replace(/^apps\//, '')
    .replace('/src', '');

const handlers = (name: string) =>
  handlersOf(name)
    .map((path) => `${roomOf(path)}: \`${basename(path)}\``)
    .join('<br>') || 'nobody yet';

const publishers = (constant: string) => [...new Set(publishersOf(constant).map(roomOf))].join(', ') || 'nobody yet';

/** ARCHITECTURE.md with its table of events brought up to date. */
export function architecture(): string {
  const rows = Object.entries(contracts).flatMap(([constant, one]) => {
    if (contracts.events.includes(one as contracts.EventDefinition)) {
      const { topic, type } = one as contracts.EventDefinition;
      const name = `\`${topic.name}\`${topic.cleanup === 'compact' ? ' (compacted)' : ''}`;
      return [[name, type, publishers(constant), handlers(type)]];
    }
    if (!contracts.requests.includes(one as contracts.RequestDefinition)) return [];
    const { topic, name } = one as contracts.RequestDefinition;
    return [[`\`${topic}\``, 'a question', 'whoever speaks only Kafka', handlers(name)]];
  });
  const table = [['topic', 'event', 'from', 'handled by'], ['-', '-', '-', '-'], ...rows.toSorted(byTopic)];
  const text = readFileSync(FILE, 'utf8');
  const [start, end] = MARKS.map((mark) => text.indexOf(mark)) as [number, number];
  if (start < 0 || end < start) throw new Error(`${FILE} has lost the marks around its table of events`);
  const lines = table.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  return `${text.slice(0, start + MARKS[0].length)}\n\n${lines}\n\n${text.slice(end)}`;
}

const byTopic = ([a]: string[], [b]: string[]) => (a! < b! ? -1 : Number(a! > b!));
