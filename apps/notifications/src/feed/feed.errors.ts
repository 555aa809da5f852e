import { defineProblem } from '#libs/http';

/** Also for another person's notification, whose existence is not revealed. */
export const notificationNotFound = defineProblem({
  status: 404,
  code: 'notification-not-found',
  detail: 'There is no such notification among yours.',
});
