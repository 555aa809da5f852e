import { isIPv6 } from 'node:net';
import { experimental, ServerCredentials } from '@grpc/grpc-js';
import { type GrpcOptions, Transport } from '@nestjs/microservices';
import { usersProto } from '#libs/contracts';
import { Certificates, GrpcCertificates, SettingsError } from '#libs/service';
import type { Config } from '../config.js';

/** The gRPC server of `users.v1`. @throws SettingsError when the files for TLS are incomplete or cannot be read. */
export function grpcServer(config: Config): GrpcOptions {
  return {
    transport: Transport.GRPC,
    options: {
      package: 'users.v1',
      protoPath: usersProto,
      url: `${isIPv6(config.LISTEN_ADDRESS) ? `[${config.LISTEN_ADDRESS}]` : config.LISTEN_ADDRESS}:${config.GRPC_PORT}`,
      credentials: credentials(config),
      // Numbers are exact up to 2^53, far beyond the times that are sent as int64.
      loader: { longs: Number, defaults: true, arrays: true },
      // Detects callers that vanished silently.
      keepalive: { keepaliveTimeMs: 30_000, keepaliveTimeoutMs: 5000 },
      channelOptions: {
        'grpc.max_connection_age_ms': config.GRPC_MAX_CONNECTION_AGE,
        'grpc.max_connection_age_grace_ms': 10_000,
      },
      gracefulShutdown: true,
    },
  };
}

function credentials(config: Config): ServerCredentials {
  const { GRPC_TLS_CERT_PATH: cert, GRPC_TLS_KEY_PATH: key, GRPC_TLS_CA_PATH: ca } = config;
  if (ca === undefined && config.GRPC_ALLOWED_CALLERS.length > 0) {
    throw new SettingsError([
      'GRPC_ALLOWED_CALLERS: needs GRPC_TLS_CA_PATH, without which callers show no certificate',
    ]);
  }
  if (cert === undefined && key === undefined && ca === undefined) return ServerCredentials.createInsecure();
  if (cert === undefined || key === undefined) {
    throw new SettingsError([
      'GRPC_TLS_CERT_PATH and GRPC_TLS_KEY_PATH: belong together, and GRPC_TLS_CA_PATH needs both',
    ]);
  }
  const certificates = new Certificates(config, {
    ca: 'GRPC_TLS_CA_PATH',
    cert: 'GRPC_TLS_CERT_PATH',
    key: 'GRPC_TLS_KEY_PATH',
  });
  const provider = new GrpcCertificates(certificates);
  const mutual = ca !== undefined;
  // grpc-js 1.14 names these parameters the wrong way round: the identity is the first.
  return experimental.createCertificateProviderServerCredentials(provider, mutual ? provider : null, mutual);
}
