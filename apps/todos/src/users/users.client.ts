import {
  type ChannelCredentials,
  type Client,
  credentials,
  experimental,
  loadPackageDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { usersProto } from '#libs/contracts';
import { CallPolicy, Certificates, CONFIG, GrpcCertificates } from '#libs/service';
import type { Config } from '../config.js';
import type { User } from './user.entity.js';

type Users = Client & {
  GetUser(
    request: { id: string },
    options: { deadline: number },
    answer: (error: ServiceError | null, user: User) => void,
  ): void;
};

const hasCode = (code: status) => (error: unknown) => (error as ServiceError).code === code;
const isNotFound = hasCode(status.NOT_FOUND);

/** Queries the users service over gRPC. */
@Injectable()
export class UsersClient implements OnApplicationShutdown {
  private readonly client: Users;
  private readonly policy = new CallPolicy({
    callee: 'users',
    isAnswer: isNotFound,
    isRefusal: hasCode(status.UNAVAILABLE),
  });

  constructor(@Inject(CONFIG) config: Config) {
    const definition = loadPackageDefinition(loadSync(usersProto)) as unknown as {
      users: { v1: { Users: new (address: string, security: ChannelCredentials, options: object) => Users } };
    };
    this.client = new definition.users.v1.Users(`dns:///${config.USERS_GRPC_URL}`, security(config), {
      'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
      // The service config above applies; none is looked up in DNS.
      'grpc.service_config_disable_resolution': 1,
      // With the defaults, reconnecting can take two minutes although the service is back.
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 2000,
      'grpc.dns_min_time_between_resolutions_ms': 1000,
      // Detects within 12 s that the other end's node is gone: a dead node closes no connection.
      'grpc.keepalive_time_ms': 10_000,
      'grpc.keepalive_timeout_ms': 2000,
      'grpc.keepalive_permit_without_calls': 1,
    });
  }

  /** The account, or undefined when there is none. @throws Problem 503 with Retry-After when users cannot be reached. */
  async getUser(id: string): Promise<User | undefined> {
    try {
      return await this.policy.execute(({ deadline }) => this.call(id, deadline));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  onApplicationShutdown(): void {
    this.client.close();
  }

  private call(id: string, deadline: number): Promise<User> {
    return new Promise((resolve, reject) => {
      this.client.GetUser({ id }, { deadline }, (error, user) => (error ? reject(error) : resolve(user)));
    });
  }
}

function security(config: Config): ChannelCredentials {
  if (!config.GRPC_TLS_CA_PATH) return credentials.createInsecure();
  const names = { ca: 'GRPC_TLS_CA_PATH', cert: 'GRPC_TLS_CERT_PATH', key: 'GRPC_TLS_KEY_PATH' };
  const provider = new GrpcCertificates(new Certificates(config, names));
  return experimental.createCertificateProviderChannelCredentials(
    provider,
    config.GRPC_TLS_CERT_PATH ? provider : null,
  );
}
