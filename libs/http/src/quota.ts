/** At most `most` in a window. */
export interface Rate {
  most: number;
  /** In milliseconds. */
  window: number;
}

/** A rate with a name, which is sent to clients. */
export interface Quota extends Rate {
  name: string;
}

/** What is left of a quota. */
export interface QuotaState {
  quota: Quota;
  remaining: number;
  /** Milliseconds until there is more. */
  reset: number;
}

/** Whole seconds, at least one. */
export const seconds = (milliseconds: number) => Math.max(1, Math.ceil(milliseconds / 1000));

/** An item of RateLimit-Policy: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ */
export const policyItem = ({ name, most, window }: Quota) => `"${name}";q=${most};w=${seconds(window)}`;

/** An item of RateLimit. */
export const stateItem = ({ quota, remaining, reset }: QuotaState) =>
  `"${quota.name}";r=${Math.max(0, remaining)};t=${seconds(reset)}`;
