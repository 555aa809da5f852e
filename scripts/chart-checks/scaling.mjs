// The number of pods when autoscaling is enabled, or handed over to KEDA.
import { templateOn } from './fake-cluster.mjs';
import { chart, generated, read, report, resourcesOf } from './support.mjs';

const live = (...managedFields) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'tasklane-users', namespace: 'default', managedFields },
  spec: { replicas: 4 },
});
const replicas = { 'f:spec': { 'f:replicas': {} } };
const helm = (operation, fieldsV1) => ({ manager: 'helm', operation, fieldsV1 });
const scaler = { manager: 'kube-controller-manager', operation: 'Update', subresource: 'scale', fieldsV1: replicas };
for (const [what, objects, expected] of [
  ['a new release leaves the number to the autoscaler', [], undefined],
  ['switched on, autoscaling begins with the pods that are there', [live(helm('Apply', replicas))], 4],
  [
    'what the autoscaler has changed is its own',
    [live({ operation: 'Update' }, helm('Apply', { 'f:spec': {} }), scaler)],
    undefined,
  ],
  ['without server-side apply the number is named to the end', [live(helm('Update', { 'f:spec': {} }), scaler)], 4],
]) {
  const { stdout, output } = await templateOn(objects, chart, ...generated);
  const deployment = read(stdout).resources.find(
    ({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'tasklane-users',
  );
  report(
    what,
    deployment && deployment.spec.replicas === expected,
    `${deployment?.spec.replicas}\n${output.slice(0, 300)}`,
  );
}

// KEDA's admission takes over an autoscaler only by its name and with this annotation.
const byKeda = resourcesOf('--set', 'defaults.autoscaling.keda.enabled=true').filter(
  ({ kind }) => kind === 'ScaledObject',
);
const before = resourcesOf().filter(({ kind }) => kind === 'HorizontalPodAutoscaler');
const namesOf = (all, nameOf) => all.map(nameOf).sort().join();
const taken = namesOf(byKeda, ({ spec }) => spec.advanced?.horizontalPodAutoscalerConfig.name);
const handed = byKeda.every(
  ({ metadata }) => metadata.annotations?.['scaledobject.keda.sh/transfer-hpa-ownership'] === 'true',
);
const same = before.length === 3 && handed && taken === namesOf(before, ({ metadata }) => metadata.name);
report("KEDA takes over the chart's autoscalers", same, taken);
