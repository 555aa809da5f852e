import { Controller, Get, Global, Injectable, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { HealthCheck, HealthCheckService, HealthIndicatorService, TerminusModule } from '@nestjs/terminus';
import { described, Public } from '#libs/http';

/** As by default, but without loading swagger. */
const withoutDocuments = { noCache: true, swaggerDocumentation: false };

/** Returns a short description of the fault, or nothing when healthy. */
export type HealthTest = () => string | undefined | Promise<string | undefined>;

/**
 * Where the parts of a service register their health checks.
 * A liveness test looks only at this process (Kubernetes restarts it on a fault), never at a dependency.
 */
@Injectable()
export class Health implements OnApplicationBootstrap {
  readonly liveness = new Map<string, HealthTest>();
  readonly readiness = new Map<string, HealthTest>([['service', () => this.state]]);
  private state: string | undefined = 'starting';

  live(name: string, test: HealthTest): void {
    this.liveness.set(name, test);
  }

  ready(name: string, test: HealthTest): void {
    this.readiness.set(name, test);
  }

  onApplicationBootstrap(): void {
    this.state = undefined;
  }

  drain(): void {
    this.state = 'draining';
  }

  get draining(): boolean {
    return this.state === 'draining';
  }

  get started(): string | undefined {
    return this.state === 'starting' ? this.state : undefined;
  }
}

@Public()
@described(({ ApiExcludeController }) => [ApiExcludeController()])
@Controller()
class HealthController {
  constructor(
    private readonly health: Health,
    private readonly terminus: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
  ) {}

  @Get('livez')
  @HealthCheck(withoutDocuments)
  live() {
    return this.check(this.health.liveness);
  }

  @Get('readyz')
  @HealthCheck(withoutDocuments)
  ready() {
    return this.check(this.health.readiness);
  }

  @Get('startupz')
  @HealthCheck(withoutDocuments)
  started() {
    return this.check(new Map([['service', () => this.health.started]]));
  }

  private check(tests: ReadonlyMap<string, HealthTest>) {
    return this.terminus.check(
      [...tests].map(([name, test]) => async () => {
        const fault = await test();
        const indicator = this.indicators.check(name);
        return fault === undefined ? indicator.up() : indicator.down(fault);
      }),
    );
  }
}

/** `GET /livez`, `/readyz` and `/startupz`: 200, or 503 with what is wrong. */
@Global()
@Module({
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
  providers: [Health],
  exports: [Health],
})
export class HealthModule {}
