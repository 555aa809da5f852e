import type { Admin, Kafka } from './kafkajs.js';

/** Lets `work` make requests over a connection of its own, each repeated `retries` times. @throws what connecting or `work` throws. */
export async function withAdmin<T>(kafka: Kafka, retries: number, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin({ retry: { retries } });
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/** A connection for questions about topics and groups, opened by the first one and replaced after an error. */
export class SteadyAdmin {
  private admin: Promise<Admin> | undefined;

  constructor(private readonly kafka: Kafka) {}

  /** @throws what connecting or `ask` throws. */
  async use<Answer>(ask: (admin: Admin) => Promise<Answer>): Promise<Answer> {
    this.admin ??= this.connect();
    try {
      return await ask(await this.admin);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const { admin } = this;
    this.admin = undefined;
    await admin?.then((connected) => connected.disconnect()).catch(() => undefined);
  }

  private async connect(): Promise<Admin> {
    const admin = this.kafka.admin({ retry: { retries: 0 } });
    await admin.connect();
    return admin;
  }
}
