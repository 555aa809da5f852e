import { waitFor } from '#libs/testing';
import { apply, kubectl, nodeIn, type Pod, run } from './release.js';

/**
 * Evaluates an expression in a pod's service through Node's inspector. It may hang the main thread, so
 * there is no answer; where `of` names a class, `expression` is a function that gets its only instance as `this`.
 */
export async function evaluateIn(pod: Pod, expression: string, of?: string): Promise<void> {
  const script = `
    process.kill(1, 'SIGUSR1');
    const list = async () => (await (await fetch('http://127.0.0.1:9229/json/list')).json())[0].webSocketDebuggerUrl;
    let url;
    while (!url) url = await list().catch(() => new Promise((resolve) => setTimeout(resolve, 100)));
    const socket = new WebSocket(url);
    await new Promise((resolve) => (socket.onopen = resolve));
    let id = 0;
    const call = (method, params) => new Promise((resolve, reject) => {
      const own = ++id;
      socket.addEventListener('message', ({ data }) => {
        const answer = JSON.parse(data);
        if (answer.id !== own) return;
        const fault = answer.error?.message ?? answer.result.exceptionDetails?.exception?.description;
        if (fault) reject(new Error(fault)); else resolve(answer.result);
      });
      socket.send(JSON.stringify({ id: own, method, params }));
    });
    const expression = ${JSON.stringify(expression)};
    const of = ${JSON.stringify(of ?? null)};
    if (of === null) {
      socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } }));
      await new Promise((resolve) => setTimeout(resolve, 500));
    } else {
      const { result } = await call('Runtime.evaluate', { expression: 'Object.prototype' });
      const { objects } = await call('Runtime.queryObjects', { prototypeObjectId: result.objectId });
      const find = 'function (name, work) { for (const one of this) if (Object.getPrototypeOf(one)?.constructor?.name === name'
        + ' && one !== one.constructor.prototype) { (0, eval)("(" + work + ")").call(one); return; } throw new Error("none"); }';
      const args = [{ value: of }, { value: expression }];
      await call('Runtime.callFunctionOn', { objectId: objects.objectId, functionDeclaration: find, arguments: args });
    }
    process.exit(0);
  `;
  await nodeIn(pod.metadata.name, script);
}

/**
 * Stops the process of a pod's container from outside, because process 1 ignores SIGSTOP from within: by a privileged pod
 * in the node's process namespace.
 */
export async function stopProcess(pod: Pod, image: string): Promise<void> {
  const id = pod.status.containerStatuses![0]!.containerID!.replace(/^.*\/\//, '');
  const script = `
    const { readdirSync, readFileSync } = require('node:fs');
    const read = (file) => { try { return readFileSync(file, 'utf8'); } catch { return ''; } };
    const pids = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name) && read('/proc/' + name + '/cgroup').includes('${id}'));
    if (!pids.length) throw new Error('no process of the container');
    for (const pid of pids) process.kill(Number(pid), 'SIGSTOP');
  `;
  const name = `sigstop-${pod.metadata.uid.slice(0, 8)}`;
  await apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'kube-system' },
    spec: {
      hostPID: true,
      nodeName: pod.spec.nodeName,
      restartPolicy: 'Never',
      containers: [
        {
          name,
          image,
          args: ['-e', script],
          securityContext: { privileged: true, runAsUser: 0, runAsNonRoot: false },
        },
      ],
    },
  });
  const phase = () => run('kubectl', ['-n', 'kube-system', 'get', 'pod', name, '-o', 'jsonpath={.status.phase}']);
  const ended = async () => ['Succeeded', 'Failed'].find((last) => last === is) ?? ((is = await phase()), undefined);
  let is = '';
  await waitFor(ended, { timeout: 60_000, interval: 200, what: 'the signal to be sent' });
  const logs = await run('kubectl', ['-n', 'kube-system', 'logs', name]);
  await run('kubectl', ['-n', 'kube-system', 'delete', 'pod', name, '--wait=false']);
  if (is === 'Failed') throw new Error(`the signal was not sent: ${logs}`);
}

export const imageOf = async (pod: Pod) =>
  (await kubectl('get', 'pod', pod.metadata.name, '-o', 'jsonpath={.spec.containers[0].image}')).trim();
