#!/bin/sh
# A database for each service, that belongs to a role of its own; nobody else may connect. Passwords are put in as
# variables of psql, never as text of statements.
set -eu
database() {
	psql -v ON_ERROR_STOP=1 -U postgres -v name="agora_$1" -v password="$2" <<-'SQL'
		CREATE ROLE :"name" LOGIN PASSWORD :'password' CONNECTION LIMIT 40;
		CREATE DATABASE :"name" OWNER :"name";
		REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
	SQL
}
database users "$PASSWORD_USERS"
database products "$PASSWORD_PRODUCTS"
database inventory "$PASSWORD_INVENTORY"
database orders "$PASSWORD_ORDERS"
database payments "$PASSWORD_PAYMENTS"
database provider "$PASSWORD_PROVIDER"
