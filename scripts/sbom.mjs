// Prints a CycloneDX 1.6 bill of materials of an image: the installed npm packages, Debian's packages and Node itself.
//   node scripts/sbom.mjs [folder with node_modules]     in the Dockerfile; in the image it is /app/sbom.cdx.json
// `npm sbom` would list the lockfile's packages; this lists those that are left after the unneeded ones were removed.
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = process.argv[2] ?? '.';
const json = (file) => JSON.parse(readFileSync(file, 'utf8'));

function npmPackages() {
  const files = globSync('node_modules/**/package.json', { cwd: root });
  // Packages contain further package.json files; only a folder directly below node_modules or its @scope is a package.
  const packages = files.filter((file) => /(^|\/)node_modules\/(@[^/]+\/)?[^/@]+\/package\.json$/.test(file));
  return packages.map((file) => {
    const { name, version, license } = json(join(root, file));
    const licence = typeof license === 'string' ? { licenses: [{ expression: license }] } : {};
    return { type: 'library', name, version, purl: `pkg:npm/${name.replace('@', '%40')}@${version}`, ...licence };
  });
}

function debianPackages() {
  const status = '/var/lib/dpkg/status';
  if (!existsSync(status)) return [];
  return readFileSync(status, 'utf8')
    .split('\n\n')
    .filter((entry) => /^Status: .* installed$/m.test(entry))
    .map((entry) => {
      const field = (name) => new RegExp(`^${name}: (.*)$`, 'm').exec(entry)[1];
      const [name, version] = [field('Package'), field('Version')];
      const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${field('Architecture')}`;
      return { type: 'library', name, version, purl };
    });
}

const node = process.version.slice(1);
const components = [
  ...npmPackages(),
  ...debianPackages(),
  { type: 'application', name: 'node', version: node, purl: `pkg:generic/node@${node}` },
].map((component) => ({ ...component, 'bom-ref': component.purl }));
const unique = [...new Map(components.map((component) => [component.purl, component])).values()];
unique.sort((a, b) => (a.purl < b.purl ? -1 : 1));
const { name, version } = json(join(root, 'package.json'));

// The serial number is derived from the contents, so that builds are reproducible.
const digest = createHash('sha256').update(JSON.stringify(unique)).digest('hex');
const serial = digest.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/, '$1-$2-5$3-8$4-$5');
const bom = {
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  serialNumber: `urn:uuid:${serial}`,
  version: 1,
  metadata: { component: { type: 'application', name, version, 'bom-ref': `pkg:npm/${name}@${version}` } },
  components: unique,
};
process.stdout.write(`${JSON.stringify(bom, null, 2)}\n`);
