// Keeps KEYSTORE what the Secret in FOLDER says: node --eval <this> FOLDER KEYSTORE. Kafka wants the key in PKCS #8 and in
// one file with its certificate, and its image has nothing that can convert a key.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

const [folder, keystore] = process.argv.slice(1);
let seen;

function convert() {
  try {
    const [key, certificates] = ['tls.key', 'tls.crt'].map((name) => readFileSync(`${folder}/${name}`, 'utf8'));
    if (seen === key + certificates) return;
    seen = key + certificates;
    const privateKey = createPrivateKey(key);
    if (!new X509Certificate(certificates).checkPrivateKey(privateKey)) throw new Error('the key belongs to another certificate');
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) + certificates;
    writeFileSync(`${keystore}.new`, pem, { mode: 0o600 });
    renameSync(`${keystore}.new`, keystore);
    console.log(`${keystore} is written`);
  } catch (error) {
    console.error(`what is in ${folder} cannot be used: ${error.message}`);
  }
}

convert();
setInterval(convert, 5000);
process.on('SIGTERM', () => process.exit(0));
