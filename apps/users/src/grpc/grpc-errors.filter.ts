import { Catch, Logger, type RpcExceptionFilter } from '@nestjs/common';
import { status } from '@grpc/grpc-js';
import { type Observable, throwError } from 'rxjs';
import { Problem } from '#libs/http';
import { isDatabaseUnavailable } from '#libs/service';

const codes: Record<number, status> = {
  400: status.INVALID_ARGUMENT,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  503: status.UNAVAILABLE,
};

/** Maps errors to gRPC's status codes. Unknown errors are logged in full and answered as a bare INTERNAL. */
@Catch()
export class GrpcErrors implements RpcExceptionFilter {
  private readonly log = new Logger('Grpc');

  catch(error: unknown): Observable<never> {
    return throwError(() => this.statusOf(error));
  }

  private statusOf(error: unknown): { code: status; message: string } {
    if (error instanceof Problem) return { code: codes[error.getStatus()] ?? status.UNKNOWN, message: error.detail };
    if (isDatabaseUnavailable(error)) return { code: status.UNAVAILABLE, message: 'the database is not available' };
    this.log.error(error);
    return { code: status.INTERNAL, message: 'something went wrong on our side' };
  }
}
