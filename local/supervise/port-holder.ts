import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Who listens on a port, such as `process 812 (node server.js)`; undefined when that is not visible. */
export function holderOf(port: number): string | undefined {
  try {
    const pid = process.platform === 'linux' ? listenerOnLinux(port) : listenerByLsof(port);
    return pid && `process ${pid} (${commandOf(pid)})`;
  } catch {
    return undefined;
  }
}

// /proc/net/tcp lists each socket's inode, /proc/<pid>/fd who has it open: minimal systems have neither lsof nor ss.
function listenerOnLinux(port: number): string | undefined {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readFileSync(table, 'utf8').split('\n')) {
      const fields = line.trim().split(/\s+/);
      if (fields[1]?.endsWith(local) && fields[3] === '0A') inodes.add(`socket:[${fields[9]}]`);
    }
  }
  return readdirSync('/proc').find((pid) => /^\d+$/.test(pid) && opened(pid).some((target) => inodes.has(target)));
}

function opened(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  } catch {
    // Another user's process, or one that has just ended.
    return [];
  }
}

function listenerByLsof(port: number): string | undefined {
  const found = execFileSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-t'], {
    encoding: 'utf8',
    stdio: 'pipe',
  });
  return found.trim().split('\n')[0];
}

function commandOf(pid: string): string {
  const whole =
    process.platform === 'linux'
      ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      : execFileSync('ps', ['-o', 'command=', '-p', pid], { encoding: 'utf8', stdio: 'pipe' });
  return whole.trim().slice(0, 100);
}
