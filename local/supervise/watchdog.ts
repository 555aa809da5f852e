import { type ChildProcess, spawn } from 'node:child_process';

// The shell outlives this process: it keeps the last line it read and acts on it when the pipe closes. Each
// entry is signal:pid; what is still there after ten seconds is killed.
const script = `
trap '' INT TERM HUP
while read -r line; do entries=$line; done
for entry in $entries; do kill -\${entry%%:*} \${entry##*:} 2>/dev/null; done
for second in 1 2 3 4 5 6 7 8 9 10; do
  left=
  for entry in $entries; do kill -0 \${entry##*:} 2>/dev/null && left=yes; done
  [ -z "$left" ] && exit
  sleep 1
done
for entry in $entries; do kill -KILL \${entry##*:} 2>/dev/null; done
`;

const watched = new Map<number, string>();
let shell: ChildProcess | undefined;

/** Has `signal` (without its SIG) sent to `pid` if this process dies without having ended it. */
export function watch(pid: number, signal: string): void {
  watched.set(pid, signal);
  tell();
}

/** For a process that has ended: its id may soon belong to another. */
export function unwatch(pid: number): void {
  if (watched.delete(pid)) tell();
}

function tell(): void {
  if (!shell) {
    shell = spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    shell.on('error', () => {});
    shell.stdin?.on('error', () => {});
    shell.unref();
    (shell.stdin as unknown as { unref(): void }).unref();
  }
  shell.stdin?.write([...watched].map(([pid, signal]) => `${signal}:${pid}`).join(' ') + '\n');
}
