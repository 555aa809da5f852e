import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { projectRoot } from './layout.js';

/** A service as helm/tasklane/values.yaml declares it, which is the one list of services, for this machine, too. */
export interface Declaration {
  name: string;
  /** What the edge sends to it: a path below /.well-known/ exactly, any other with all that lies below it. */
  routes: string[];
  /** Whether it serves gRPC. */
  grpc: boolean;
  /** The services whose gRPC it calls. */
  calls: string[];
  /** Whether it signs the access tokens; exactly one does. */
  issuesTokens: boolean;
  sendsMail: boolean;
  /** Environment variables with generated values. */
  secrets: Record<string, string>;
  /** Settings, as environment variables. */
  config: Record<string, string>;
}

interface Values {
  defaults: Omit<Declaration, 'name'>;
  services: Record<string, Partial<Declaration>>;
}

/** The services of the chart, in its order. */
export const declarations = declarationsIn(new URL('helm/tasklane/values.yaml', projectRoot));

function declarationsIn(file: URL): Declaration[] {
  const { defaults, services } = parse(readFileSync(file, 'utf8')) as Values;
  return Object.entries(services).map(([name, own]) => {
    const config = { ...defaults.config, ...own.config };
    return { ...defaults, ...own, routes: own.routes ?? [], config, name };
  });
}
