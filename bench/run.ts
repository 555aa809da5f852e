import { writeFileSync } from 'node:fs';
import { Logger } from '@nestjs/common';
import { benchHttp } from './http.bench.js';
import { benchAged, benchMessaging } from './messaging.bench.js';
import { Report, startServers } from './servers.js';

// `npm run bench [-- http|messaging|aged] [--save]`: prints Markdown, with --save also into bench/results/<date>.md.
const all = { http: benchHttp, messaging: benchMessaging, aged: benchAged };
/** Half an hour and 12 GB: only when it is named. */
const long = new Set(['aged']);
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const unknown = wanted.filter((name) => !(name in all));
if (unknown.length > 0) {
  process.stderr.write(`unknown benchmark ${unknown.join(', ')}: there are ${Object.keys(all).join(' and ')}\n`);
  process.exit(64);
}

// Without these a signal would end the process before it has stopped its servers.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

Logger.overrideLogger(false);
const report = new Report();
report.progress('starting PostgreSQL and Kafka');
const servers = await startServers();
try {
  for (const [name, bench] of Object.entries(all)) {
    if (wanted.length === 0 ? !long.has(name) : wanted.includes(name)) await bench(servers, report);
  }
} finally {
  await servers.close();
}
process.stdout.write(`${report.toString()}\n`);
if (process.argv.includes('--save')) {
  writeFileSync(`bench/results/${new Date().toISOString().slice(0, 10)}.md`, `${report.toString()}\n`);
}
