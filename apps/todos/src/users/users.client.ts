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
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { BrokenCircuitError, circuitBreaker, ConsecutiveBreaker, handleWhen } from 'cockatiel';
import { usersProto } from '#libs/contracts';
import { unavailable } from '#libs/http';
import { Certificates, CONFIG, GrpcCertificates } from '#libs/service';
import type { Config } from '../config.js';
import type { User } from './user.entity.js';

/** Milliseconds one question may take, its repetitions included. */
const TIME_LIMIT = 2000;

/**
 * Repeats a call that never reached the service, as while its pods are replaced. The throttle is the budget: once
 * failures outnumber successes by five, nothing is repeated until calls succeed again.
 * https://grpc.io/docs/guides/retry/
 */
const SERVICE_CONFIG = {
  loadBalancingConfig: [{ round_robin: {} }],
  methodConfig: [
    {
      name: [{ service: 'users.v1.Users' }],
      retryPolicy: {
        maxAttempts: 3,
        initialBackoff: '0.05s',
        maxBackoff: '0.2s',
        backoffMultiplier: 2,
        retryableStatusCodes: ['UNAVAILABLE'],
      },
    },
  ],
  retryThrottling: { maxTokens: 10, tokenRatio: 1 },
};

type Users = Client & {
  GetUser(
    request: { id: string },
    options: { deadline: number },
    answer: (error: ServiceError | null, user: User) => void,
  ): void;
};

const isNotFound = (error: unknown) => (error as ServiceError).code === status.NOT_FOUND;

/** Asks users over gRPC. After five failures in a row it answers 503 at once, and tries again every two seconds. */
@Injectable()
export class UsersClient implements OnApplicationShutdown {
  private readonly log = new Logger('UsersClient');
  private readonly client: Users;
  private readonly breaker = circuitBreaker(
    handleWhen((error) => !isNotFound(error)),
    { halfOpenAfter: 2000, breaker: new ConsecutiveBreaker(5) },
  );

  constructor(@Inject(CONFIG) config: Config) {
    const definition = loadPackageDefinition(loadSync(usersProto)) as unknown as {
      users: { v1: { Users: new (address: string, security: ChannelCredentials, options: object) => Users } };
    };
    this.client = new definition.users.v1.Users(`dns:///${config.USERS_GRPC_URL}`, security(config), {
      'grpc.service_config': JSON.stringify(SERVICE_CONFIG),
      // Ours holds; none is looked for in DNS.
      'grpc.service_config_disable_resolution': 1,
      // The defaults wait up to two minutes for a service that is back long since.
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 2000,
      'grpc.dns_min_time_between_resolutions_ms': 1000,
      // Notices within 12 s that the node at the other end is gone, which nobody can tell it.
      'grpc.keepalive_time_ms': 10_000,
      'grpc.keepalive_timeout_ms': 2000,
      'grpc.keepalive_permit_without_calls': 1,
    });
    this.breaker.onStateChange((state) => this.log.warn(`the circuit to users is now in state ${state}`));
  }

  /** The account, or undefined when there is none. @throws Problem 503 with Retry-After when users cannot be asked. */
  async getUser(id: string): Promise<User | undefined> {
    try {
      return await this.breaker.execute(() => this.call(id));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (!(error instanceof BrokenCircuitError)) this.log.warn(`users cannot be asked: ${(error as Error).message}`);
      throw unavailable('The users service');
    }
  }

  onApplicationShutdown(): void {
    this.client.close();
  }

  private call(id: string): Promise<User> {
    return new Promise((resolve, reject) => {
      this.client.GetUser({ id }, { deadline: Date.now() + TIME_LIMIT }, (error, user) =>
        error ? reject(error) : resolve(user),
      );
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
