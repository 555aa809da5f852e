import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { projectRoot } from './layout.js';

/** A service as helm/tasklane/values.yaml declares it, which is the one list of services, for this machine, too. */
export interface Declaration {
  name: string;
  /** Its paths at the edge: one below /.well-known/ exactly, any other with all below it. */
  routes: string[];
  grpc: boolean;
  /** The services that it calls: by gRPC where they serve it, else by HTTP. */
  calls: string[];
  /** Whether it signs the access tokens; exactly one does. */
  issuesTokens: boolean;
  sendsMail: boolean;
  secrets: Record<string, string>;
  config: Record<string, string>;
}

interface Values {
  defaults: Omit<Declaration, 'name'>;
  services: Record<string, Partial<Declaration>>;
}

export const declarations = declarationsIn(new URL('helm/tasklane/values.yaml', projectRoot));

function declarationsIn(file: URL): Declaration[] {
  const { defaults, services } = parse(readFileSync(file, 'utf8')) as Values;
  return Object.entries(services).map(([name, own]) => {
    const config = { ...defaults.config, ...own.config };
    return { ...defaults, ...own, routes: own.routes ?? [], config, name };
  });
}
