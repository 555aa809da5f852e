import { Logger } from '@nestjs/common';
import {
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleWhen,
  retry,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel';
import { Gauge } from 'prom-client';
import { unavailable } from '#libs/http';

export interface CallPolicyOptions {
  /** The service that is called, as named in messages and metrics. */
  callee: string;
  /** Milliseconds that one call may take, retries included. Default 2000. */
  timeLimit?: number;
  /** Milliseconds from the opening of the circuit to the next attempt. Default 2000. */
  halfOpenAfter?: number;
  /** Whether an error is the answer of a healthy callee, such as "not found". */
  isAnswer: (error: unknown) => boolean;
  /** Whether the callee did not start on the call, as while its pods are replaced, so that it may be repeated. */
  isRefusal: (error: unknown) => boolean;
}

export interface CallContext {
  signal: AbortSignal;
  /** In milliseconds since 1970. */
  deadline: number;
}

const FAILURES_TO_OPEN = 5;
const REPETITIONS = 2;

const states = new Gauge({
  name: 'tasklane_circuit_state',
  help: 'Whether another service is called: 0 yes (closed), 1 one call tries whether it is back (half open), 2 no (open)',
  labelNames: ['callee'],
});
const valueOf = {
  [CircuitState.Closed]: 0,
  [CircuitState.HalfOpen]: 1,
  [CircuitState.Open]: 2,
  [CircuitState.Isolated]: 2,
};

/**
 * How one service calls another: within a time limit, retrying refused calls as long as the budget lasts, and not at
 * all for a while after five consecutive failures. Then one call tries, and the others still fail at once. Make one for each
 * callee, and use it only for idempotent calls.
 */
export class CallPolicy {
  private readonly log = new Logger('Calls');
  private readonly budget = new RetryBudget();
  private readonly breaker;
  private readonly policy;
  private readonly timeLimit: number;

  constructor(private readonly options: CallPolicyOptions) {
    const { callee, timeLimit = 2000, halfOpenAfter = 2000, isAnswer, isRefusal } = options;
    this.timeLimit = timeLimit;
    this.breaker = circuitBreaker(
      handleWhen((error) => !isAnswer(error)),
      { halfOpenAfter, breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN) },
    );
    const repeat = retry(
      handleWhen((error) => isRefusal(error) && this.budget.allows),
      { maxAttempts: REPETITIONS, backoff: new ExponentialBackoff({ initialDelay: 50, maxDelay: 200 }) },
    );
    this.policy = wrap(this.breaker, timeout(timeLimit, TimeoutStrategy.Aggressive), repeat);
    states.set({ callee }, valueOf[CircuitState.Closed]);
    this.breaker.onStateChange((state) => {
      states.set({ callee }, valueOf[state]);
      this.log.warn(`the circuit to ${callee} is now ${CircuitState[state]}`);
    });
  }

  /** @throws Problem 503 with Retry-After when the callee cannot be reached; an error that is an answer is rethrown. */
  async execute<T>(call: (context: CallContext) => Promise<T>): Promise<T> {
    const { callee, isAnswer } = this.options;
    const deadline = Date.now() + this.timeLimit;
    // cockatiel would make all callers wait for the one that tries.
    if (this.breaker.state === CircuitState.HalfOpen) throw unavailable(`The ${callee} service`);
    try {
      return await this.policy.execute(({ signal }) => this.attempt(() => call({ signal, deadline })));
    } catch (error) {
      if (isAnswer(error)) throw error;
      if (this.breaker.state === CircuitState.Closed) {
        this.log.warn(`calling ${callee} failed: ${(error as Error).message}`);
      }
      throw unavailable(`The ${callee} service`);
    }
  }

  private async attempt<T>(call: () => Promise<T>): Promise<T> {
    try {
      const answer = await call();
      this.budget.succeeded();
      return answer;
    } catch (error) {
      if (!this.options.isAnswer(error)) this.budget.failed();
      throw error;
    }
  }
}

/**
 * Keeps retries from multiplying the load on a struggling callee: each failure takes a token, each success
 * returns one, and nothing is retried while half of them are gone. https://grpc.io/docs/guides/retry/
 */
class RetryBudget {
  private readonly most = 10;
  private tokens = this.most;

  get allows(): boolean {
    return this.tokens > this.most / 2;
  }

  succeeded(): void {
    this.tokens = Math.min(this.most, this.tokens + 1);
  }

  failed(): void {
    this.tokens = Math.max(0, this.tokens - 1);
  }
}
