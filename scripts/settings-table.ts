import type { Setting, Settings } from '#libs/service';

/** The page of all settings: those that every service has first, then each service's own. */
export function settingsTable(byService: Record<string, Settings>): string {
  const names = Object.keys(byService);
  const everywhere = Object.entries(byService[names[0]!]!).filter(([name]) =>
    names.every((service) => byService[service]![name]),
  );
  const common = new Set(everywhere.map(([name]) => name));
  const own = names.flatMap((service) => [
    `## ${service}`,
    '',
    ...table(Object.entries(byService[service]!).filter(([name]) => !common.has(name))),
    '',
  ]);
  return [
    '# Settings',
    '',
    'Made from the `config.ts` of each app by `npm run docs`.',
    '',
    'Settings are environment variables. Any `X` can instead come from a file whose path is in `X_FILE`, which is how secrets are',
    'mounted. Durations are written `250ms`, `5s`, `5m`, `1h`, `30d`. When settings are missing or wrong the service tells all faults',
    'in one message and ends with the code 78.',
    '',
    '## Every service',
    '',
    ...table(everywhere),
    '',
    ...own,
  ].join('\n');
}

const table = (settings: [string, Setting][]): string[] => [
  '| name | meaning | default |',
  '| --- | --- | --- |',
  ...settings.map(
    ([name, declared]) =>
      `| \`${name}\`${declared.secret ? ' (secret)' : ''} | ${declared.description.replaceAll('|', '\\|')} | ${defaultOf(declared)} |`,
  ),
];

function defaultOf(declared: Setting): string {
  if (declared.default) return `\`${declared.default}\``;
  return declared.default === '' || declared.schema.safeParse(undefined).success ? '' : '**required**';
}
