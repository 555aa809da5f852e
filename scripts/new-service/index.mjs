import schematics from '@angular-devkit/schematics';

const { apply, applyTemplates, chain, mergeWith, move, SchematicsException, url } = schematics;
const values = 'helm/tasklane/values.yaml';
const skaffold = 'skaffold.yaml';

/** The schematic of `npm run new:service audit`, which `nest generate` can run, too (CONTRIBUTING.md). */
export function newService({ name = '' }) {
  return (tree) => {
    // Derived names in Kubernetes leave 13 characters; the chart refuses more.
    if (!/^[a-z]([a-z0-9-]{0,11}[a-z0-9])?$/.test(name)) {
      const rule = 'letters, digits and hyphens, a letter first and no hyphen last, 13 characters at most';
      throw new SchematicsException(`"${name}" cannot name a service: it takes small ${rule}.`);
    }
    if (tree.getDir(`apps/${name}`).subfiles.length + tree.getDir(`apps/${name}`).subdirs.length > 0) {
      throw new SchematicsException(`The service "${name}" exists: apps/${name} is not empty.`);
    }
    const camel = name.replace(/-+(.)/g, (_hyphen, letter) => letter.toUpperCase());
    const pascal = camel[0].toUpperCase() + camel.slice(1);
    const template = apply(url('./files'), [applyTemplates({ name, camel, pascal }), move(`apps/${name}`)]);
    return chain([mergeWith(template), addValues(name), addArtifact(name), addProject(name)]);
  };
}

/** Edits the text, not a parsed document: comments and line breaks stay as they are. */
function edit(file, change) {
  return (tree) => tree.overwrite(file, change(tree.readText(file)));
}

function addValues(name) {
  return edit(values, (text) => {
    if (new RegExp(`^  ${name}:`, 'm').test(section(text, 'services')[1])) {
      throw new SchematicsException(`The service "${name}" exists: it has an entry in ${values}.`);
    }
    const entry = [
      `  # ${name} is the service of what its folder apps/${name} says.`,
      `  ${name}:`,
      `    image: { repository: ghcr.io/tasklane/${name} }`,
      `    routes: [/api/v1/${name}]`,
    ];
    return appendTo(text, 'services', entry);
  });
}

/** Adds the artifact, its image in the release, and the target for `skaffold dev`. */
function addArtifact(name) {
  return edit(skaffold, (text) => {
    const artifact = [
      `    - image: ghcr.io/tasklane/${name}`,
      '      runtimeType: nodejs',
      `      docker: { dockerfile: Dockerfile, buildArgs: { APP: ${name} } }`,
      '      sync: *sync',
    ];
    const variable = `ghcr_io_tasklane_${name.replaceAll('-', '_')}`;
    const image = [
      `          services.${name}.image.repository: '{{.IMAGE_REPO_${variable}}}'`,
      `          services.${name}.image.tag: '{{.IMAGE_TAG_${variable}}}'`,
    ];
    return appendTo(appendTo(addDevTarget(text), 'build', artifact), 'deploy', image);
  });
}

/** What `nest start` and `nest build` know it by. */
function addProject(name) {
  const project = { type: 'application', root: `apps/${name}`, sourceRoot: `apps/${name}/src`, entryFile: 'main' };
  const entry = JSON.stringify({ [name]: project }, null, 2)
    .slice(2, -2)
    .replaceAll('\n', '\n  ');
  return edit('nest-cli.json', (text) => text.replace(/\n  }\n}\n$/, `,\n  ${entry}$&`));
}

function addDevTarget(text) {
  const last = text.lastIndexOf('\n', text.lastIndexOf('/docker/target, value: dev }'));
  const [, index] = /artifacts\/(\d+)/.exec(text.slice(last));
  const end = text.indexOf('\n', last + 1);
  const patch = text.slice(last, end).replace(`/${index}/`, `/${Number(index) + 1}/`);
  return `${text.slice(0, end)}${patch}${text.slice(end)}`;
}

/** The text before, of and after the value of a key on the top level, the last without the blank lines that end it. */
function section(text, key) {
  const [, before, content, after] = new RegExp(`^([^]*?^${key}:\\n)((?: [^]*?)?\\n)(\\n*(?:\\S[^]*)?)$`, 'm').exec(
    text,
  );
  return [before, content, after];
}

function appendTo(text, key, lines) {
  const [before, content, after] = section(text, key);
  return `${before}${content}${lines.join('\n')}\n${after}`;
}
