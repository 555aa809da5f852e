// Checks the API's descriptions by Redocly's recommended rules; warnings fail, too: node scripts/lint-api.mjs
import { globSync } from 'node:fs';
import { createConfig, formatProblems, getTotals, lint } from '@redocly/openapi-core';

const config = await createConfig({ extends: ['recommended'] });
for (const ref of globSync(['docs/openapi/*.json', 'apps/*/src/openapi/*.json'])) {
  const problems = await lint({ ref, config });
  if (problems.length === 0) continue;
  formatProblems(problems, { totals: getTotals(problems), version: '' });
  process.exitCode = 1;
}
