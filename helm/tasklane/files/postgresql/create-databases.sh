# Runs once, when the data directory is new: a role and a database for each service, and no way into another's.
for service in users todos notifications; do
  variable="$(echo "$service" | tr a-z A-Z)_PASSWORD"
  psql --no-psqlrc -v ON_ERROR_STOP=1 -U postgres -d postgres -v name="$service" -v password="$(printenv "$variable")" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
done
psql --no-psqlrc -v ON_ERROR_STOP=1 -U postgres -d postgres -c 'REVOKE ALL ON DATABASE postgres FROM PUBLIC'
