import { renameSync, writeFileSync, type WriteFileOptions } from 'node:fs';

/** Readers see the former content or the new, never a part of it. */
export function replaceFile(file: string, content: string, options?: WriteFileOptions): void {
  writeFileSync(`${file}.unfinished`, content, options);
  renameSync(`${file}.unfinished`, file);
}
