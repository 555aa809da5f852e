// npm run new:service audit: generates a service by the schematic in new-service/, then the documents that depend on it.
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import tools from '@angular-devkit/schematics/tools/index.js';

const npm = (...args) => execFileSync('npm', ['run', '--silent', ...args], { stdio: 'ignore' });
const name = process.argv[2] ?? '';
const workflow = new tools.NodeWorkflow(process.cwd(), {});
workflow.reporter.subscribe(({ kind, path }) => console.log(`${kind.padEnd(8)}${path.replace(/^\//, '')}`));
try {
  const collection = resolve('scripts/new-service/collection.json');
  await workflow.execute({ collection, schematic: 'service', options: { name } }).toPromise();
  npm('docs');
  execFileSync(process.execPath, ['scripts/chart-readme.mjs'], { stdio: 'ignore' });
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
console.log(`
The documents are made anew. npm start runs ${name}, too; node scripts/render-k8s.mjs brings k8s/base up to date (helm on the PATH).`);
