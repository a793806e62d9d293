// Verifies a Sigstore bundle under a public key, by Sigstore's own library: node verify_bundle.js BUNDLE.json KEY.pem
// Exit 0 and the signed payload on stdout, or exit 1 and the reason on stderr.
const crypto = require('crypto');
const fs = require('fs');
const { bundleFromJSON } = require('@sigstore/bundle');
const { Verifier, toSignedEntity, toTrustMaterial } = require('@sigstore/verify');

const [bundleFile, keyFile] = process.argv.slice(2);
const key = crypto.createPublicKey(fs.readFileSync(keyFile)).export({ type: 'spki', format: 'der' });
const hint = crypto.createHash('sha256').update(key).digest('base64');
const noAuthorities = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };
const trusted = toTrustMaterial(noAuthorities, { [hint]: { rawBytes: key } });
try {
  const bundle = bundleFromJSON(JSON.parse(fs.readFileSync(bundleFile)));
  const verifier = new Verifier(trusted, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });
  verifier.verify(toSignedEntity(bundle));
  process.stdout.write(bundle.content.dsseEnvelope.payload);
} catch (error) {
  process.stderr.write(`${error.code}: ${error.message}\n`);
  process.exit(1);
}
