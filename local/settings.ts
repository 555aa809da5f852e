export interface LocalSettings {
  dir: string;
  port: number;
  mailPort: number;
}

/** Reads TASKLANE_DIR, TASKLANE_PORT and TASKLANE_MAIL_PORT. Throws with all faults in one message. */
export function localSettings(env: NodeJS.ProcessEnv): LocalSettings {
  const faults: string[] = [];
  const port = (name: string, byDefault: number) => {
    const value = Number(env[name] || byDefault);
    if (Number.isInteger(value) && value > 0 && value < 65_536) return value;
    faults.push(`${name} must be a port (1 to 65535), but it is "${env[name]}"`);
    return byDefault;
  };
  const settings = {
    dir: env.TASKLANE_DIR || '.tasklane',
    port: port('TASKLANE_PORT', 3000),
    mailPort: port('TASKLANE_MAIL_PORT', 8025),
  };
  if (settings.port === settings.mailPort) faults.push('TASKLANE_PORT and TASKLANE_MAIL_PORT must differ');
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return settings;
}
