import type { experimental } from '@grpc/grpc-js';
import type { Certificates, Pem } from './certificates.js';

type Listener<Update> = (update: Update | null) => void;

/** Passes certificates to grpc-js. Does not import grpc-js itself, which not every service needs. */
export class GrpcCertificates implements experimental.CertificateProvider {
  private readonly ends = new Map<unknown, () => void>();

  constructor(private readonly certificates: Certificates) {}

  addCaCertificateListener(listener: experimental.CaCertificateUpdateListener): void {
    this.add(listener, ({ ca }) => ({ caCertificate: ca! }));
  }

  addIdentityCertificateListener(listener: experimental.IdentityCertificateUpdateListener): void {
    this.add(listener, ({ cert, key }) => ({ certificate: cert!, privateKey: key! }));
  }

  removeCaCertificateListener(listener: unknown): void {
    this.remove(listener);
  }

  removeIdentityCertificateListener(listener: unknown): void {
    this.remove(listener);
  }

  private add<Update>(listener: Listener<Update>, updateOf: (pem: Pem) => Update): void {
    const tell = (pem: Pem) => listener(updateOf(pem));
    this.ends.set(listener, this.certificates.follow(tell));
    // Deferred: grpc-js registers its own listener only after this call.
    process.nextTick(() => tell(this.certificates.current));
  }

  private remove(listener: unknown): void {
    this.ends.get(listener)?.();
    this.ends.delete(listener);
  }
}
