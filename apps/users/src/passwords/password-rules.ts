import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The most used passwords, from zxcvbn-ts (MIT), which has them from public leaks: the first 5,000, and the longer ones after
 * them.
 */
const common = new Set(
  readFileSync(fileURLToPath(new URL('./common-passwords.txt', import.meta.url)), 'utf8')
    .trim()
    .split('\n'),
);

/** Of the passwords in the list, in characters. */
const SHORTEST = 4;

const MAX_LENGTH = 128;

/**
 * Returns the fault of a new password, if any. Length and guessability count; there are no rules about kinds of
 * characters (NIST SP 800-63B §5.1.1.2). Lengths are in code points.
 */
export function weaknessOf(password: string, minLength: number, email: string): string | undefined {
  const length = Array.from(password).length;
  if (length < minLength) return `must have at least ${minLength} characters`;
  if (length > MAX_LENGTH) return `must have at most ${MAX_LENGTH} characters`;
  const lower = password.toLowerCase();
  // password1234!, 2026dragonfly: digits and signs around a common word add little.
  const core = lower.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '');
  if (isCommon(lower) || isCommon(core)) return 'is one of the most used passwords, or two of them together';
  if (/^(.{1,4})\1+.{0,3}$/su.test(lower)) return 'repeats a few characters';
  const [name] = email.split('@');
  if ([email, name, 'tasklane'].includes(core) || lower === name)
    return 'must not be the e-mail address or the name of this service';
  return undefined;
}

/** Few leaked passwords have 12 characters; most that are so long consist of two shorter ones. */
function isCommon(text: string): boolean {
  if (common.has(text)) return true;
  for (let end = SHORTEST; end <= text.length - SHORTEST; end++) {
    if (common.has(text.slice(0, end)) && common.has(text.slice(end))) return true;
  }
  return false;
}
