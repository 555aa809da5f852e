import { X509Certificate } from 'node:crypto';
import type { ServerUnaryCall } from '@grpc/grpc-js';
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { defineProblem } from '#libs/http';
import { CONFIG } from '#libs/service';
import type { Config } from '../config.js';

const callerRefused = defineProblem({
  status: 403,
  code: 'caller-refused',
  detail: 'The certificate of this caller has none of the names that may call.',
});

/** Lets in callers whose certificate has one of the names of GRPC_ALLOWED_CALLERS; all callers where that is empty. */
@Injectable()
export class GrpcCallers implements CanActivate {
  constructor(@Inject(CONFIG) private readonly config: Pick<Config, 'GRPC_ALLOWED_CALLERS'>) {}

  canActivate(context: ExecutionContext): boolean {
    const { GRPC_ALLOWED_CALLERS: allowed } = this.config;
    if (allowed.length === 0) return true;
    const { sslPeerCertificate } = context.getArgByIndex<ServerUnaryCall<unknown, unknown>>(2).getAuthContext();
    if (!sslPeerCertificate?.raw) throw callerRefused();
    const certificate = new X509Certificate(sslPeerCertificate.raw);
    if (allowed.some((name) => certificate.checkHost(name, { subject: 'never', wildcards: false }))) return true;
    throw callerRefused();
  }
}
