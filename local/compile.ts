import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';

const run = promisify(execFile);

/**
 * Writes to dist/ what `npm run build` would make of these files, seen from `root`, without a look at the types of others: that
 * takes milliseconds. Returns the syntax errors, a line each; where there are some, nothing was written.
 */
export function compileFiles(root: string, files: string[]): string[] {
  const options = optionsOf(root);
  const present = files.filter((file) => existsSync(join(root, file)));
  const modules = present.filter((file) => extname(file) === '.ts').map((file) => compileModule(root, file, options));
  const errors = modules.flatMap(({ errors }) => errors);
  if (errors.length > 0) return errors;
  for (const { output, text, map } of modules) {
    mkdirSync(dirname(output), { recursive: true });
    writeFileSync(output, text);
    writeFileSync(`${output}.map`, map);
  }
  for (const asset of present.filter((file) => extname(file) !== '.ts')) {
    mkdirSync(join(root, 'dist', dirname(asset)), { recursive: true });
    copyFileSync(join(root, asset), join(root, 'dist', asset));
  }
  return [];
}

/** Checks the types of the whole project. Returns the errors, a line each; none when `signal` ends it before. */
export async function typeErrors(root: string, signal: AbortSignal): Promise<string[]> {
  const compiler = ['node_modules/typescript7/bin/tsc', '-p', 'tsconfig.json', '--noEmit', '--pretty', 'false'];
  try {
    await run(process.execPath, compiler, { cwd: root, signal });
    return [];
  } catch (error) {
    if (signal.aborted) return [];
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    // What is indented explains the line above it.
    return `${stdout}${stderr}`.split('\n').filter((line) => /^\S/.test(line));
  }
}

function optionsOf(root: string): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  // A file by itself does not show the package.json that makes it a module.
  return { ...options, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler };
}

function compileModule(root: string, file: string, compilerOptions: ts.CompilerOptions) {
  const fileName = join(root, file);
  const source = readFileSync(fileName, 'utf8');
  const compiled = ts.transpileModule(source, { fileName, compilerOptions, reportDiagnostics: true });
  const format = {
    getCanonicalFileName: (name: string) => name,
    getCurrentDirectory: () => root,
    getNewLine: () => '',
  };
  return {
    output: join(root, 'dist', file.replace(/\.ts$/, '.js')),
    text: compiled.outputText,
    map: compiled.sourceMapText ?? '',
    errors: compiled.diagnostics!.map((error) => ts.formatDiagnostic(error, format)),
  };
}
