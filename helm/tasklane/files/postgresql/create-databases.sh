# Runs by itself when the data directory is new, and again by hand when a service was added: a role and a database for each
# service that has none, and no way into another's. SERVICES are their names.
for service in $SERVICES; do
  variable="$(echo "$service" | tr a-z- A-Z_)_PASSWORD"
  psql --no-psqlrc -v ON_ERROR_STOP=1 -U postgres -d postgres -v name="$service" -v password="$(printenv "$variable")" <<'SQL'
SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', :'name', :'password')
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'name')
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
done
psql --no-psqlrc -v ON_ERROR_STOP=1 -U postgres -d postgres -c 'REVOKE ALL ON DATABASE postgres FROM PUBLIC'
