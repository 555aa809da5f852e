import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { type Decoder, encoder, type Kafka, sendRequest } from '../kafka/kafkajs.js';

/** SCRAM-SHA-512 in the protocol. */
const MECHANISM = 2;
/** The least that Kafka takes; the passwords are random. */
const ITERATIONS = 4096;
const RESOURCE_NOT_FOUND = 91;

/** The names of all users with SCRAM credentials. @throws Error with the broker's reason. */
export async function scramUsers(kafka: Kafka): Promise<string[]> {
  const { errorCode, message, users } = await sendRequest(kafka, {
    apiKey: 50,
    apiName: 'DescribeUserScramCredentials',
    apiVersion: 0,
    // No list means all users.
    encode: (request) => request.writeUVarInt(0),
    decode: (response) => {
      response.readInt32();
      const [errorCode, message] = [response.readInt16(), response.readUVarIntString()];
      return { errorCode, message, users: response.readUVarIntArray(userOf) ?? [] };
    },
  });
  demand(errorCode, message, 'the users cannot be listed');
  return users;
}

function userOf(response: Decoder): string {
  const name = response.readUVarIntString()!;
  response.readInt16();
  response.readUVarIntString();
  response.readUVarIntArray((credential) => [
    credential.readInt8(),
    credential.readInt32(),
    credential.readTaggedFields(),
  ]);
  response.readTaggedFields();
  return name;
}

/** Gives users their passwords, by name, and removes users. @throws Error with the broker's reason. */
export async function changeScramUsers(
  kafka: Kafka,
  passwords: ReadonlyMap<string, string>,
  removed: string[],
): Promise<void> {
  if (passwords.size + removed.length === 0) return;
  const results = await sendRequest(kafka, {
    apiKey: 51,
    apiName: 'AlterUserScramCredentials',
    apiVersion: 0,
    encode: (request) =>
      request.writeUVarIntArray(removed.map(deletion)).writeUVarIntArray([...passwords].map(upsertion)),
    decode: (response) => {
      response.readInt32();
      return response.readUVarIntArray((result) => ({
        name: result.readUVarIntString(),
        errorCode: result.readInt16(),
        message: result.readUVarIntString(),
        tags: result.readTaggedFields(),
      }));
    },
  });
  for (const { name, errorCode, message } of results ?? [])
    if (errorCode !== RESOURCE_NOT_FOUND) demand(errorCode, message, `the user ${name} cannot be changed`);
}

const deletion = (name: string) => encoder().writeUVarIntString(name).writeInt8(MECHANISM).writeUVarInt(0);

function upsertion([name, password]: [string, string]) {
  const salt = randomBytes(32);
  return encoder()
    .writeUVarIntString(name)
    .writeInt8(MECHANISM)
    .writeInt32(ITERATIONS)
    .writeUVarIntBytes(salt)
    .writeUVarIntBytes(pbkdf2Sync(password, salt, ITERATIONS, 64, 'sha512'))
    .writeUVarInt(0);
}

function demand(errorCode: number, message: string | null, what: string): void {
  if (errorCode !== 0) throw new Error(`${what}: ${message ?? `error ${errorCode}`}`);
}
