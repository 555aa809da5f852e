import { sendJson } from '#libs/testing';

/** An answer of the API; `body` is its parsed JSON, null for an empty one. */
export interface Answer<T> {
  status: number;
  headers: Headers;
  body: T;
}

export interface SendOptions {
  body?: unknown;
  /** Sent unchanged, instead of `body`. */
  raw?: string;
  headers?: Record<string, string>;
}

export interface User {
  id: string;
  email: string;
  firstName: string;
  lastName: string;
  age: number | null;
  clubMember: boolean;
  language: string;
  roles: string[];
  createdAt: string;
  updatedAt: string;
  version: number;
}

export interface List {
  id: string;
  name: string;
  ownerId: string;
  role: string;
  openItems: number;
  createdAt: string;
  updatedAt: string;
  version: number;
}

export interface Item {
  id: string;
  listId: string;
  name: string;
  notes: string;
  completed: boolean;
  completedAt: string | null;
  due: string | null;
  priority: number;
  labels: string[];
  position: string;
  createdAt: string;
  updatedAt: string;
  version: number;
}

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

export interface Tokens {
  accessToken: string;
  tokenType: string;
  expiresIn: number;
  refreshToken: string;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: string;
  requestId: string;
  errors?: { path: string; message: string }[];
  [member: string]: unknown;
}

/** Calls the API with an access token or anonymously. Never throws because of a status. */
export class Client {
  constructor(
    readonly baseUrl: string,
    readonly token?: string,
  ) {}

  as(token: string | undefined): Client {
    return new Client(this.baseUrl, token);
  }

  get = <T = Problem>(path: string, options?: SendOptions) => this.send<T>('GET', path, options);
  post = <T = Problem>(path: string, body?: unknown, options?: SendOptions) =>
    this.send<T>('POST', path, { body, ...options });
  put = <T = Problem>(path: string, body?: unknown, options?: SendOptions) =>
    this.send<T>('PUT', path, { body, ...options });
  patch = <T = Problem>(path: string, body?: unknown, options?: SendOptions) =>
    this.send<T>('PATCH', path, { body, ...options });
  delete = <T = Problem>(path: string, options?: SendOptions) => this.send<T>('DELETE', path, options);

  /** @param path below /api/v1, or a whole path that begins with /api/ or /.well-known/. */
  async send<T>(method: string, path: string, { body, raw, headers }: SendOptions = {}): Promise<Answer<T>> {
    const whole = /^\/(api|\.well-known)\//.test(path) ? path : `/api/v1${path}`;
    const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const answer = await sendJson(method, this.baseUrl + whole, { token: this.token, body: content, headers });
    return { ...answer, body: (answer.body ?? null) as T };
  }
}
