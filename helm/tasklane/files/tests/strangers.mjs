// What `helm test` runs where NetworkPolicies are enforced: this pod is none of the services, so it reaches their public
// port and nothing else. STRANGER_REACHES and STRANGER_MISSES are host:port, separated by spaces, or empty.
import { connect } from 'node:net';

const open = (address) =>
  new Promise((resolve) => {
    const [host, port] = address.split(':');
    const socket = connect({ host, port: Number(port), timeout: 3000 });
    const end = (result) => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });

let failed = false;
for (const [list, expected] of [
  [process.env.STRANGER_REACHES, true],
  [process.env.STRANGER_MISSES, false],
]) {
  for (const address of list.split(' ').filter(Boolean)) {
    const right = (await open(address)) === expected;
    failed ||= !right;
    console.log(`${right ? 'ok ' : 'BAD'} ${address} ${expected ? 'answers' : 'is out of reach'}`);
  }
}
process.exit(failed ? 1 : 0);
