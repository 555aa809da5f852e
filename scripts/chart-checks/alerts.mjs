import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { read, report, run, template } from './support.mjs';

const runbooks = 'https://example.com/runbooks';
const { spec: rules } = read(
  template('--set', `prometheusRule.enabled=true,prometheusRule.runbooks=${runbooks}`).stdout,
).resources.find(({ kind }) => kind === 'PrometheusRule');
const helpless = rules.groups[0].rules.filter(({ alert, annotations: { runbook_url: url } }) => {
  const path = url.replace(runbooks, 'docs/runbooks');
  return !existsSync(path) || !readFileSync(path, 'utf8').includes(alert);
});
report(
  'each alert names a runbook that knows it',
  helpless.length === 0,
  helpless.map(({ alert }) => alert).join('\n'),
);

const files = ['alerts-fire.test.yaml', 'alerts-quiet.test.yaml'];
const source = (file) => join(import.meta.dirname, file);
// An alert that no test sees fire may never do so; one that none sees quiet may always do so.
const seen = files.flatMap((file) =>
  parse(readFileSync(source(file), 'utf8')).tests.flatMap((test) => test.alert_rule_test),
);
const unseen = rules.groups[0].rules.filter(({ alert }) =>
  [true, false].some((fires) => !seen.some((test) => test.alertname === alert && Boolean(test.exp_alerts) === fires)),
);
const unseenNames = unseen.map(({ alert }) => alert).join();
report('a test sees each alert fire, and one sees it quiet', unseen.length === 0, unseenNames);

const scratch = mkdtempSync(join(tmpdir(), 'tasklane-alerts-'));
writeFileSync(join(scratch, 'rules.yaml'), stringify(rules));
for (const file of files) {
  copyFileSync(source(file), join(scratch, file));
  const tested = run('promtool', ['test', 'rules', join(scratch, file)]);
  if (tested.missing) console.log('    promtool is not on the PATH: left out');
  else report(`promtool test rules ${file}`, tested.ok, tested.output);
}
rmSync(scratch, { recursive: true });
