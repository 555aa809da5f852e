import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { commaSeparated, duration, loadSettings, setting, SettingsError } from './settings.js';

const settings = {
  NAME: setting('A name', z.string().min(3)),
  PORT: setting('A port', z.coerce.number().int(), { default: '8080' }),
  WAIT: setting('A duration', duration, { default: '5s' }),
  ADMINS: setting('Addresses', commaSeparated, { default: '' }),
  TOKEN: setting('A secret', z.string().min(8), { secret: true, default: 'long enough' }),
  EXTRA: setting('May be absent', z.url().optional()),
};

function faultsOf(env: NodeJS.ProcessEnv): string[] {
  try {
    loadSettings(settings, env);
  } catch (error) {
    if (error instanceof SettingsError) return error.faults;
    throw error;
  }
  return [];
}

describe('settings', () => {
  it('are read from the environment with their defaults', () => {
    expect(loadSettings(settings, { NAME: 'ada', WAIT: '250ms', ADMINS: ' a@x.y, b@x.y,' })).toEqual({
      NAME: 'ada',
      PORT: 8080,
      WAIT: 250,
      ADMINS: ['a@x.y', 'b@x.y'],
      TOKEN: 'long enough',
      EXTRA: undefined,
    });
  });

  it('tells all faults at once', () => {
    expect(faultsOf({ PORT: 'many', WAIT: '5 seconds', EXTRA: 'nowhere' })).toEqual([
      'NAME: is required (A name)',
      expect.stringMatching(/^PORT: .*it is "many"$/),
      expect.stringMatching(/^WAIT: expected a duration such as .*it is "5 seconds"$/),
      expect.stringMatching(/^EXTRA: Invalid URL, but it is "nowhere"$/),
    ]);
  });

  it('an empty variable counts as absent', () => {
    expect(faultsOf({ NAME: '' })).toEqual(['NAME: is required (A name)']);
  });

  it('never repeats a wrong secret', () => {
    const [fault] = faultsOf({ NAME: 'ada', TOKEN: 'hunter2' });
    expect(fault).toMatch(/^TOKEN: /);
    expect(fault).not.toContain('hunter2');
  });

  it('come from files named by X_FILE', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'settings-')), 'name');
    writeFileSync(file, 'grace\n');
    expect(loadSettings(settings, { NAME_FILE: file }).NAME).toBe('grace');
    expect(faultsOf({ NAME_FILE: file, NAME: 'ada' })).toEqual([
      'NAME: is set twice, directly and by NAME_FILE; keep one',
    ]);
    expect(faultsOf({ NAME_FILE: `${file}.gone` })[0]).toMatch(/^NAME: cannot be read from NAME_FILE: ENOENT/);
  });
});
