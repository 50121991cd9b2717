-- The database and its users, for the guide "Database cluster".
CREATE DATABASE console_api CHARACTER SET utf8mb4;
CREATE USER console_api IDENTIFIED BY 'PASSWORD';
GRANT ALL ON console_api.* TO console_api;
-- HAProxy checks the nodes as this user, which needs no privileges.
CREATE USER haproxy_check;
