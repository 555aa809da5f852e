import type { Admin, Kafka } from './kafkajs.js';

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
