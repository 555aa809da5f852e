import { defineProblem } from '#libs/http';

/** Also for a notification of somebody else: who may not see it does not learn that it exists. */
export const notificationNotFound = defineProblem({
  status: 404,
  code: 'notification-not-found',
  detail: 'There is no such notification among yours.',
});
