import {
  loadPackageDefinition,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { usersProto } from '#libs/contracts';
import type { User } from '../src/users/user.entity.js';

/** A substitute for users' gRPC service with given accounts, which can be slow or down. */
export class FakeUsers {
  readonly accounts = new Map<string, User>();
  calls = 0;
  /** How it answers: properly, never, or as a service that is not ready. */
  mode: 'well' | 'silent' | 'unavailable' = 'well';
  private server: Server | undefined;
  private port = 0;

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  add(id: string, changes: Partial<User> = {}): User {
    const user = { id, email: `${id}@example.com`, firstName: 'Ada', lastName: 'Lovelace', version: 1, ...changes };
    this.accounts.set(id, user);
    return user;
  }

  /** Listens on the port that it had before, if any. */
  async start(security = ServerCredentials.createInsecure()): Promise<void> {
    const { users } = loadPackageDefinition(loadSync(usersProto)) as unknown as {
      users: { v1: { Users: { service: never } } };
    };
    const server = new Server();
    server.addService(users.v1.Users.service, {
      GetUser: (call: ServerUnaryCall<{ id: string }, User>, answer: sendUnaryData<User>) => this.answer(call, answer),
    });
    this.port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${this.port}`, security, (error, port) => (error ? reject(error) : resolve(port)));
    });
    this.server = server;
  }

  stop(): void {
    this.server?.forceShutdown();
  }

  private answer({ request }: ServerUnaryCall<{ id: string }, User>, answer: sendUnaryData<User>): void {
    this.calls++;
    if (this.mode === 'silent') return;
    if (this.mode === 'unavailable') return answer({ code: status.UNAVAILABLE });
    const account = this.accounts.get(request.id);
    answer(account ? null : { code: status.NOT_FOUND }, account);
  }
}
